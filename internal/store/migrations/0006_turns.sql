ALTER TABLE calls ADD COLUMN "check" TEXT;        -- the check that asked; NULL: the answer itself
ALTER TABLE turns ADD COLUMN tool_calls TEXT;     -- JSON: what the model proposed to call
ALTER TABLE turns ADD COLUMN declined INTEGER;    -- 1: a check of the cascade refused, not the contract
ALTER TABLE shapes ADD COLUMN tools TEXT;         -- JSON: what it was offered
ALTER TABLE attempts ADD COLUMN structured TEXT;  -- how the form of the answer was told; NULL: not
ALTER TABLE results ADD COLUMN tool_calls TEXT;   -- JSON
ALTER TABLE results ADD COLUMN first_try TEXT;    -- NULL: as valid says
ALTER TABLE results ADD COLUMN eval TEXT;         -- JSON: what the checks spent; NULL: none asked a model
ALTER TABLE results ADD COLUMN steps TEXT;        -- JSON: of a conversation
